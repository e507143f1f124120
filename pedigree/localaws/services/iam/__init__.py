"""IAM: moto's users, roles and policies, with policies that the authorizer can read."""
