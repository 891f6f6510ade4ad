"""A small guide about real roles, parsed as any guide is, for tests that need passages and no index."""

from __future__ import annotations

from advisor.passages import parse
from advisor.types import Hit, Passage
from advisor.vocabulary import Vocabulary

TEXT = """---
title: Three jobs
as_of: 2025-12-27
region: United States
currency: USD
roles: [AI Engineer, ML Engineer, Data Scientist]
---

# Three jobs

## Pay in US major tech hubs

Annual pay by level in US major tech hubs, in US dollars:

| Role | Entry | Mid | Senior | Staff/Principal |
| --- | --- | --- | --- | --- |
| AI Engineer | $130–160K | $160–220K | $220–280K | $280–400K+ |
| ML Engineer | $125–150K | $150–200K | $200–260K | $260–350K+ |
| Data Scientist | $100–130K | $130–170K | $170–220K | $220–300K+ |

## Remote pay

Annual pay by level for remote work, in US dollars:

| Role | Entry | Mid | Senior |
| --- | --- | --- | --- |
| AI Engineer | $100–130K | $130–180K | $180–240K |
| ML Engineer | $95–120K | $120–160K | $160–220K |
| Data Scientist | $85–110K | $110–150K | $150–200K |

Pay in the Bay Area carries a premium of 20–30%.

## Skills by role

How much of each skill a role needs, out of 5:

| Skill | AI Engineer | ML Engineer | Data Scientist |
| --- | --- | --- | --- |
| Python | 5 of 5 | 5 of 5 | 4 of 5 |
| SQL | 3 of 5 | 4 of 5 | 5 of 5 |
| Statistics | 2 of 5 | 3 of 5 | 5 of 5 |

## What an AI Engineer does

An AI Engineer's daily work:

- **Prompt engineering:** crafting and testing prompts for consistent behaviour
- **Agent development:** building agents that use tools in several steps
- **Evaluation:** developing metrics and tests for the quality of answers

## ML Engineer career ladder

The ladder of an ML Engineer:

1. Junior ML Engineer: 0–2 years
2. ML Engineer: 2–4 years
3. Senior ML Engineer: 4–7 years
4. Staff ML Engineer: 7+ years

## Do I need a PhD?

An AI Engineer does not need a PhD; postings rarely ask for one. For a Data Scientist a PhD is valued, but a strong
portfolio and a master's degree can substitute.

## How long does it take to become job-ready?

A software engineer needs 3–6 months to become job-ready as an AI Engineer. A beginner needs 12–18 months.
"""

GUIDE, PASSAGES = parse(TEXT, "three-jobs.md")

ROLES = ("AI Engineer", "ML Engineer", "Data Scientist", "Data Analyst")
VOCABULARY = Vocabulary.of(roles=dict.fromkeys(ROLES, ()))


def passage(*words: str) -> Passage:
    """The first passage whose headings and text hold all the words."""
    return next(p for p in PASSAGES if all(w in " ".join([*p.headings, p.text]) for w in words))


def hits(*which: Passage) -> tuple[Hit, ...]:
    """The passages as hits, best first; all of them when none is named."""
    chosen = which or PASSAGES
    return tuple(Hit(p, round(0.9 - 0.01 * n, 2)) for n, p in enumerate(chosen))


HUBS_ML = passage("tech hubs", "ML Engineer |")
REMOTE_ML = passage("Remote pay", "Role: ML Engineer")
HUBS_AI = passage("tech hubs", "Role: AI Engineer")
REMOTE_AI = passage("Remote pay", "Role: AI Engineer")
HUBS_DS = passage("tech hubs", "Role: Data Scientist")
REMOTE_DS = passage("Remote pay", "Role: Data Scientist")
PYTHON = passage("Skill: Python")
SQL = passage("Skill: SQL")
WORK = passage("Prompt engineering")
LADDER = passage("Staff ML Engineer: 7+")
DEGREE = passage("need a PhD", "rarely")
READY = passage("3–6 months")
PREMIUM = passage("20–30%")
