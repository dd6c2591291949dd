"""Instructions planted in documents: how often who answers obeys them, beside a pipeline that defends nothing."""
