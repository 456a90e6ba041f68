// Package spreadsheet reads the CSV files that spreadsheets and HubSpot write: files of latches,
// and exports of contacts and companies, which it matches with customers.
//
// This package does not know Terraform, nor the form of an ID: callers pass a [ReadID].
package spreadsheet
