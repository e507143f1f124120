"""What comes in, before anybody acts on it: whole, readable, known to its service's model; or refused in AWS's words.

The records are moto's, which trusts its callers: what has another type than its member, or a header too many, would end
in a crash or in another operation than the gate has decided. So a request is read once, held against botocore's model,
and handed on with nothing but what was read.
"""
