"""A guide about another world, three jobs in a kitchen: own names, levels, places, tables, ladder, criteria."""

from __future__ import annotations

GUIDE = """---
title: Three jobs in a kitchen
as_of: 2026-05-01
region: United Kingdom
currency: GBP
roles: [Sous Chef, Pastry Chef, Line Cook]
starters:
  - What does a trained Pastry Chef earn at sea?
  - Which kitchen job suits me if I love sugar and hate shouting?
---

# Three jobs in a kitchen

Sous Chef, Pastry Chef and Line Cook are three jobs in a restaurant kitchen that guests never see.

## What a Sous Chef does

A Sous Chef runs the kitchen when the head chef is away and plans who works when.

A Sous Chef's daily work:

- **Rota:** planning the shifts of everybody in the kitchen
- **Ordering:** buying fish, meat and vegetables
- **Tasting:** checking every plate before it leaves

## What a Pastry Chef does

A Pastry Chef makes desserts, bread and chocolate, mostly before the guests arrive.

A Pastry Chef's daily work:

- **Dough:** making bread and croissants before dawn
- **Sugar work:** spinning sugar and tempering chocolate

## What a Line Cook does

A Line Cook cooks one part of the menu at a station, fast, during service.

## Pay

### Pay in city restaurants

Wage a year by level in city restaurants of the United Kingdom, in pounds, as of May 2026:

| Job | Trainee | Trained | Head of station |
| --- | --- | --- | --- |
| Sous Chef | £27–30K | £32–38K | £40–48K |
| Pastry Chef | £24–27K | £29–34K | £36–42K |
| Line Cook | £22–25K | £26–29K | £30–33K |

### Pay at sea

Wage a year by level on cruise ships, in pounds, as of May 2026:

| Job | Trainee | Trained |
| --- | --- | --- |
| Sous Chef | £31–34K | £39–45K |
| Pastry Chef | £28–30K | £33–37K |
| Line Cook | £21–24K | £25–28K |

## What the jobs ask of you

How much Sous Chef, Pastry Chef and Line Cook call for each skill, out of five:

| Skill | Sous Chef | Pastry Chef | Line Cook |
| --- | --- | --- | --- |
| Knife skills | ⭐⭐⭐⭐ | ⭐⭐ | ⭐⭐⭐⭐⭐ |
| Sugar work | ⭐ | ⭐⭐⭐⭐⭐ | ⭐ |
| Leading people | ⭐⭐⭐⭐⭐ | ⭐⭐⭐ | ⭐ |
| Speed | ⭐⭐⭐ | ⭐⭐ | ⭐⭐⭐⭐⭐ |

Working hours of the three jobs:

| Job | Start of shift | Hours a week |
| --- | --- | --- |
| Sous Chef | 10 am | 55 |
| Pastry Chef | 4 am | 45 |
| Line Cook | 2 pm | 48 |

## Who suits which job

### Choose Sous Chef if

Choose Sous Chef if:

- You like to lead people and to plan their work
- You stay calm when everybody else shouts
- You enjoy buying good produce

### Choose Pastry Chef if

Choose Pastry Chef if:

- You love sugar, chocolate and baking
- You like to work with great precision and follow a recipe to the gram
- You would rather work quietly, before the others arrive

### Choose Line Cook if

Choose Line Cook if:

- You thrive on speed and pressure during service
- You want to cook at a hot stove all evening
- You are new to kitchens and want to start at once

## Pastry Chef ladder

```
Trainee Pastry Chef (0-1 years)
    ↓
Trained Pastry Chef (1-4 years)
    ↓
Head of station Pastry Chef (4-8 years)
    ↓
Executive Pastry Chef
```

## Questions about kitchens

### Do I need a diploma to work in a kitchen?

No, you do not need a diploma to become a Line Cook. A Pastry Chef usually has an apprenticeship of two years.

### Is kitchen work bad for your health?

It depends on the kitchen. Long hours and burns are common; kitchens with two shifts are easier on the body.
"""
VOCABULARY = """roles:
  Sous Chef: [second chef, deputy chef]
  Pastry Chef: [patissier, baker]
  Line Cook: [station cook, chef de partie]
levels:
  Trainee: [apprentice, commis, junior]
  Trained: [skilled, qualified]
  Head of station: [station head, boss of a station]
regions:
  City restaurants: [city, in town, on land, ashore]
  At sea: [cruise ship, cruise ships, on a ship, on ships, shipboard]
  United Kingdom: [UK, britain, england]
  France: [paris, french]
topics:
  pay: [wage, wages, salary, earn, earns, money, paid]
  hours: [working hours]
  ladder: [career, promotion, next step, comes after]
"""
CORPUS = {"kitchen.md": GUIDE, "vocabulary.yaml": VOCABULARY}
