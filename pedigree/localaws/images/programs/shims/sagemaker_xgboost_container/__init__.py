"""What AWS's XGBoost image has beside the library, by the names that scripts import."""
