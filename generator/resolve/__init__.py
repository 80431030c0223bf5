"""Values in place of references: formulas evaluated, records loaded, claims judged."""
