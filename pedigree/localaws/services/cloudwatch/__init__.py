"""CloudWatch alarms that are really evaluated; moto stores alarms and metrics, but never evaluates them.

statistics.py aggregates datapoints, metric_math.py evaluates expressions, alarm_state.py decides a state; all pure.
alarm_evaluator.py reads moto's alarms and metrics, and sets the states.
"""
