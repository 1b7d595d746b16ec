"""What a training picture goes through: crop perturbation, degradation, occlusion."""
