"""Is it better? Samples, exact scorers, intervals and a paired verdict; the product never imports this."""
