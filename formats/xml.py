def register_formats():
    return []
