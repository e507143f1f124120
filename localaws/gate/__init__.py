"""IAM before every call: who asks, what is asked, and whether the policies that IAM holds allow it.

reading.py     an HTTP request → the operation and its members
actions/       what each operation needs: actions, resources, condition keys; a table for each service
needs.py       a call and its table → requests that checks.iam decides
people.py      an access key → who that is, and with which policies
gate.py        the decision; sessions.py: roles that services take; door.py: the gate before HTTP
refusals.py    a no in AWS's words, in the form of each protocol
"""
