"""Application Auto Scaling for endpoints: policies that moto keeps are really followed.

metering.py counts what is asked of each variant, tracking.py decides purely, scaler.py does it and tells CloudWatch.
"""
