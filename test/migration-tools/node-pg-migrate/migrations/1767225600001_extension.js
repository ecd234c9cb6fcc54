exports.up = (pgm) => pgm.createExtension("dbkit", { ifNotExists: true });
exports.down = (pgm) => pgm.dropExtension("dbkit");
