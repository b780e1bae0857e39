"""Calibration: what a model can be trusted with, measured on the exam before it writes for a user.

trials of ways to ask -> the best of them -> thresholds from labelled texts -> a report
"""
