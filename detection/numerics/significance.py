"""When a forced flux is one, and where the limit stands when it is none."""

# Below this significance a limit is given: three leave one false claim of a flux in 740 epochs.
DETECTED_SIGMA = 3.0
# At five errors, half of the sources of that flux are found by a search at 5 sigma.
LIMIT_SIGMA = 5.0
