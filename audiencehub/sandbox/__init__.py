"""The kit that fakes are built from, and the demo company behind them."""
