"""What Footnote is measured with by those who build it: public sets, speed, scale, injection, fits."""
