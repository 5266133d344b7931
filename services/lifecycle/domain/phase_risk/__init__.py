"""What a service lacks of that which its phase asks it to keep: an item for people, which demotes nothing."""
