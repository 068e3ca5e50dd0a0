"""Pages and pictures from result files, and the check that no number has drifted."""
