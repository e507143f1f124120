"""What each role must be allowed for a definition to run, and what it is allowed besides.

need.py       one thing that a role must be allowed: actions, resources, conditions
addresses.py  from what a request says to the names of objects, images and queues, as far as they are known
running.py    what the pipeline's own role needs: to make jobs, to hand over roles, to call functions
working.py    what the roles of jobs and models need: data, images, logs, keys, networks
needs.py      all of it for a definition
held.py       the needs, held against policies with checks/iam
trusting.py   who takes the roles, and whether their trust lets them
least.py      the needs as a policy, which allows them and nothing else
"""
