"""A run: every question of a suite asked once, scored, and kept so that an interrupted run goes on."""
