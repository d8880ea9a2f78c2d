"""How the monitor is watched itself: metrics, logs, health, a watchdog."""
