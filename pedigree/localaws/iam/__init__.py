"""IAM before every call: who asks, what is asked, and whether the policies that IAM holds allow it.

reading.py     an HTTP request → the operation and its members; paths.py, queries.py: REST's and the query protocol's
actions/       what each operation needs: actions, resources, condition keys; a table for each service
needs.py       a call and its table → requests that checks.iam decides; objects.py: the same for S3
people.py      an access key → who that is, and with which policies; known.py: what is looked up about resources
gate.py        the decision; refusals.py: a no in AWS's words, in the form of each protocol
door.py        the gate before HTTP
sessions.py    roles that services take; acting.py, places.py: what is done with them
"""
