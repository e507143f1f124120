"""How an AWS service of the JSON protocol speaks. Nothing here knows what an operation does.

Requests are held against botocore's model, and refused in AWS's words; answers have the form that clients read.
"""
