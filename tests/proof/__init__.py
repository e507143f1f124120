"""The proof of iam/: the whole run with IAM enforced, and then again and again with one action less.

rights.py     every action of every policy
stage.py      a local AWS whose decisions are heard, and whose policies are changed
proving.py    the journey as it should be, and what becomes of it without each action
account.py    journeys: what the operator does to an account; running.py: executions and functions; renting.py: machines
container.py  jobs of a moment, in place of training
on_aws.py     actions that nothing on this machine can need, each with the reason why it stays
table.py      docs/permissions.md, from all of it; `make permissions` writes it
"""
