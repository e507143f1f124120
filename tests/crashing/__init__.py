"""Kills a local AWS again and again while it works, and checks that nothing acknowledged is lost or done twice.

    python -m tests.crashing 100 [seed]        a hundred kills, at moments that the seed decides

daemon.py starts and kills it; work.py defines pipelines and how their executions should end; executions.py runs them;
writers.py create records and remember which were acknowledged; ledger.py reads what the steps note themselves;
crash_run.py combines all of this.
"""
