"""Hyperparameter tuning jobs: searches that run training jobs with different hyperparameters.

ranges.py, plan.py, trials.py, early_stopping.py and decisions.py are pure: they read the request and decide what
follows. search.py chooses the values of the next trial. tuner.py does it, through SageMaker's own operations.
"""
