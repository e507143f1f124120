"""Endpoints: real model servers behind InvokeEndpoint, one process for each instance.

model_server.py is what an instance runs; instances.py starts and watches one; fleet.py keeps the desired number and
chooses the least busy; rollout.py plans how traffic moves from an old fleet to a new one; endpoints.py does it all.
"""
