// Package spreadsheet reads the CSV files of latches that spreadsheets write.
//
// This package does not know Terraform, nor the form of an ID: callers pass a [ReadID].
package spreadsheet
