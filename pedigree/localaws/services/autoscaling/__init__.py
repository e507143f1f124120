"""Application Auto Scaling for endpoints: the policies and scheduled actions that moto stores are carried out.

SageMaker's meter counts invocations, target_tracking.py decides (pure), scaler.py scales and publishes metrics.
"""
