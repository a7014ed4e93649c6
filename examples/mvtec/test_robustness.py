from pytest_robustbench.suite import test_robustness

__all__ = ["test_robustness"]
