"""Side by side with what one would pick instead: `python -m evals.peers`."""
