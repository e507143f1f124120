"""Proves that every action in iam/ is needed: does everything with IAM enforced, then again without each action.

permissions.py      every action of every policy
environment.py      a local AWS that records its decisions, and whose policies can be changed
proving.py          scenarios and their steps, and the proof that a step fails without a permission
scenarios.py        all scenarios; account.py: what the operator does to an account; running.py and functions.py:
                    executions and functions; verbs.py: the operator's commands; renting.py: EC2 instances
manual_changes.py   changes of an account that upsert has to repair
container.py        jobs that only take a moment, in place of training
on_aws.py           actions that nothing on this machine can need, each with the reason why it stays
table.py            writes docs/permissions.md; `make permissions` runs it
"""
