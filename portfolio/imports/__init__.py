"""Reading in what `portfolio.exports.bundle` wrote: `reading` knows the file, `storing` the tables."""
