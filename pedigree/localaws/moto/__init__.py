"""moto: it answers for the services that only keep records (IAM, STS, SQS, EventBridge …), and here its state lasts."""
