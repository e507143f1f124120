"""A local AWS that is killed again and again while it works, and what must be true of it nevertheless.

    python -m tests.crashing 100 [seed]        a hundred kills, at moments that the seed decides

daemon.py starts and kills; work.py is what executions do, and how they would end; writers.py put records and remember
which were acknowledged; ledger.py is what the steps write down themselves; soak.py brings it together.
"""
