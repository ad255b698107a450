"""Studies: distillation methods compared over mismatches between teacher and student."""
