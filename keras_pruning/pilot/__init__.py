"""A pilot chooses the policy for a data set and a budget: trials, the decision, how to run them."""
