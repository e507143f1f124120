"""CloudWatch alarms that are really evaluated: moto keeps alarms and metrics, but never looks at them.

statistics.py says what numbers come to, expressions.py is metric math, evaluating.py decides a state; all pure.
watch.py looks at what moto keeps and tells alarms their states.
"""
