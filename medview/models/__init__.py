"""Networks: tensors in, tensors out. Knows neither files nor Qt."""
