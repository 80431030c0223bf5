"""Whether a card can be learnt: rules with numbers over what a learner sees of it, each with its reason."""
