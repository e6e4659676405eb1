"""The first step, load: files of the store become values that know where each part stands, patches applied."""
