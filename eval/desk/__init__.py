"""The evaluator's page: runs started, watched, read and compared in the browser, and suite entries fixed there."""
