// Drives the fake org with jsforce as any Node program would; prints what it saw as one JSON line.
"use strict";
const jsforce = require("jsforce");

async function main(url) {
  const connection = new jsforce.Connection({
    version: "62.0",
    oauth2: {
      loginUrl: url,
      clientId: "sandbox-consumer_key",
      clientSecret: "sandbox-consumer_secret",
    },
  });
  await connection.authorize({ grant_type: "client_credentials" });
  connection.bulk2.pollInterval = 20;

  const seen = {};
  const people = await connection.query(
    "SELECT Id, LastName, Account.Name FROM Contact ORDER BY LastName"
  );
  seen.total = people.totalSize;
  seen.account = people.records[0].Account.Name;
  seen.found = (
    await connection
      .sobject("Contact")
      .find({ Email: { $like: "c1%" }, HasOptedOutOfEmail: false }, ["Id", "Title"])
      .limit(5)
  ).length;

  const all = [];
  await new Promise((resolve, reject) => {
    connection
      .query("SELECT Id FROM Task ORDER BY Id")
      .on("record", (record) => all.push(record.Id))
      .on("end", resolve)
      .on("error", reject)
      .run({ autoFetch: true, maxFetch: 10000 });
  });
  seen.tasks = new Set(all).size;

  const made = await connection.sobject("Contact").create({ LastName: "Ørsted" });
  await connection.sobject("Contact").update({ Id: made.id, Title: "Größe\nzwei" });
  seen.title = (await connection.sobject("Contact").retrieve(made.id)).Title;
  const both = await connection
    .sobject("Contact")
    .update([{ Id: made.id, Title: "x" }, { Id: "003000000000001AAA", Title: "y" }]);
  seen.collection = both.map((one) => one.success);
  await connection.sobject("Contact").destroy(made.id);
  seen.fields = (await connection.sobject("Contact").describe()).fields.length > 10;

  const rows = people.records.map((one) => ({ Id: one.Id, Department: 'Vertrieb, "Süd"\nzwei' }));
  rows.push({ Id: made.id, Department: "gone" });
  const job = await connection.bulk2.loadAndWaitForResults({
    object: "Contact",
    operation: "update",
    input: rows,
  });
  seen.bulk = [
    job.successfulResults.length,
    job.failedResults.map((one) => one.sf__Error),
    job.unprocessedRecords.length,
  ];
  const stream = await connection.bulk2.query("SELECT Id, Department FROM Contact");
  const lines = await stream.toArray();
  seen.departments = [...new Set(lines.map((one) => one.Department))];
  seen.usage = connection.limitInfo.apiUsage.limit;

  try {
    await connection.query("SELECT Nope FROM Contact");
  } catch (error) {
    seen.refused = error.errorCode;
  }
  console.log(JSON.stringify(seen));
}

main(process.argv[2]).catch((error) => {
  console.error(error);
  process.exit(1);
});
