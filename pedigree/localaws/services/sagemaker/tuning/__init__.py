"""Searches: training jobs with other hyperparameters each, to find which are best.

ranges.py and plan.py read what is asked for; trials.py says what became of each trial; stopping.py and decisions.py say
what follows, purely; search.py with sampling.py, where Optuna is, which values are tried next; records.py remembers
trials; tuner.py does what follows, through the service's own operations.
"""
