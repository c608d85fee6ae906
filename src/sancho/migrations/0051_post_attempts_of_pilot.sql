-- What 0050 has replaced.

DROP INDEX attempt_of_pilot;
