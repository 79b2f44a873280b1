"""Trains probes and takes their scores: the plan, the recorder, `ScoreCallback`, checkpoints.

The parent process plans and reads results. `work` runs in one child process for each probe.
"""
