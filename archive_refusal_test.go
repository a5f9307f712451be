// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package chartsign_test

import (
	"archive/tar"
	"bytes"
	"fmt"
	"testing"

	"github.com/chartsign/chartsign"
)

func TestReadChartRefusesNames(t *testing.T) {
	outside, path, twice, roots := "outside the chart's root folder", "want a relative path", "two entries are named", "several roots"
	tests := map[string]struct {
		extra []entry
		want  string
	}{
		"duplicate file":          {[]entry{file("demo/a", "1"), file("demo/a", "2")}, twice},
		"duplicate Chart.yaml":    {[]entry{file("demo/Chart.yaml", demoYAML)}, twice},
		"file and folder":         {[]entry{file("demo/a", "1"), folder("demo/a/")}, twice},
		"duplicate folder":        {[]entry{folder("demo/a/"), folder("demo/a/")}, twice},
		"second root":             {[]entry{file("other/Chart.yaml", demoYAML)}, roots},
		"second root, folder":     {[]entry{folder("other/")}, roots},
		"twin of the root":        {[]entry{file("Demo/values.yaml", "")}, roots},
		"file beside the root":    {[]entry{file("README.md", "")}, outside},
		"Chart.yaml at the top":   {[]entry{file("Chart.yaml", demoYAML)}, outside},
		"root as a file":          {[]entry{file("demo", "")}, outside},
		"absolute":                {[]entry{file("/etc/passwd", "")}, path},
		"absolute with the root":  {[]entry{file("/demo/a", "")}, path},
		"leading dot":             {[]entry{file("./demo/a", "")}, path},
		"only a dot":              {[]entry{folder("./")}, path},
		"dot in the middle":       {[]entry{file("demo/./a", "")}, path},
		"parent":                  {[]entry{file("../a", "")}, path},
		"parent in the middle":    {[]entry{file("demo/../a", "")}, path},
		"parent at the end":       {[]entry{folder("demo/..")}, path},
		"many parents":            {[]entry{file("demo/a/../../../etc/passwd", "")}, path},
		"double slash":            {[]entry{file("demo//a", "")}, path},
		"slash at a file's end":   {[]entry{{Header: tar.Header{Name: "demo/a//", Typeflag: tar.TypeDir}}}, path},
		"backslash":               {[]entry{file(`demo\a`, "")}, path},
		"backslash parent":        {[]entry{file(`demo/..\..\a`, "")}, path},
		"drive letter":            {[]entry{file("c:/demo/a", "")}, path},
		"drive letter, no slash":  {[]entry{file("c:a/b", "")}, path},
		"drive letter below":      {[]entry{file("demo/c:/windows", "")}, path},
		"drive letter, backslash": {[]entry{file(`demo/c:\windows`, "")}, path},
		"empty name":              {[]entry{{Header: tar.Header{Name: "", Typeflag: tar.TypeDir}}}, "0 bytes"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := readChart(tgzOf(t, tt.extra...))
			wantReason(t, err, chartsign.ReasonNotAChart, tt.want)
		})
	}
}

func TestReadChartRefusesTypes(t *testing.T) {
	typed := "want files and folders only"
	global := func(key, value string) entry {
		return entry{Header: tar.Header{Typeflag: tar.TypeXGlobalHeader, PAXRecords: map[string]string{key: value}}}
	}
	tests := map[string]struct {
		extra entry
		want  string
	}{
		"symbolic link":               {special("demo/a", tar.TypeSymlink, "/etc/passwd"), typed},
		"symbolic link within":        {special("demo/values.yaml", tar.TypeSymlink, "Chart.yaml"), typed},
		"hard link":                   {special("demo/a", tar.TypeLink, "demo/Chart.yaml"), typed},
		"character device":            {special("demo/a", tar.TypeChar, ""), typed},
		"block device":                {special("demo/a", tar.TypeBlock, ""), typed},
		"named pipe":                  {special("demo/a", tar.TypeFifo, ""), typed},
		"contiguous file":             {special("demo/a", tar.TypeCont, ""), typed},
		"unknown type":                {special("demo/a", 'Z', ""), typed},
		"file whose mode is a folder": {entry{Header: tar.Header{Name: "demo/requirements.yaml", Mode: 0o040755}}, typed},
		"file whose mode is a link":   {entry{Header: tar.Header{Name: "demo/a", Mode: 0o120777}}, typed},
		"folder whose mode is a link": {entry{Header: tar.Header{Name: "demo/a/", Typeflag: tar.TypeDir, Mode: 0o120777}}, typed},
		"global header with a path":   {global("path", "demo/Chart.yaml"), "want a comment only"},
		"global header with a size":   {global("size", "0"), "want a comment only"},
		"global header with an owner": {global("uid", "0"), "want a comment only"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := readChart(tgzOf(t, tt.extra))
			wantReason(t, err, chartsign.ReasonNotAChart, tt.want)
		})
	}
}

// Headers that Go's own writer will not write.
func TestReadChartRefusesRawHeaders(t *testing.T) {
	tests := map[string]struct {
		header []byte
		want   string
	}{
		"GNU sparse":          {rawHeader("demo/a", 'S', 0), "want files and folders only"},
		"folder with content": {append(rawHeader("demo/a/", '5', 512), make([]byte, 512)...), "want files and folders only"},
		"wrong checksum":      {append([]byte("X"), rawHeader("demo/a", '0', 0)[1:]...), "invalid tar header"},
		"PAX sparse":          {paxSparse(), "sparse"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			body := tarOf(t)
			body = append(body[:len(body)-1024], tt.header...)
			_, err := readChart(gzipped(t, append(body, make([]byte, 1024)...)))
			wantReason(t, err, chartsign.ReasonNotAChart, tt.want)
		})
	}
}

// rawHeader returns a GNU tar header.
func rawHeader(name string, flag byte, size int64) []byte {
	block := make([]byte, 512)
	copy(block, name)
	copy(block[100:], "0000644\x00")
	copy(block[108:], "0000000\x000000000\x00")
	copy(block[124:], fmt.Sprintf("%011o\x00", size))
	copy(block[136:], "00000000000\x00        ")
	block[156] = flag
	copy(block[257:], "ustar  \x00")
	sum := 0
	for _, b := range block {
		sum += int(b)
	}
	copy(block[148:], fmt.Sprintf("%06o\x00 ", sum))
	return block
}

// paxSparse returns a file of PAX sparse format 1.0 with a hole of 4 KiB and no data.
func paxSparse() []byte {
	var records bytes.Buffer
	for _, record := range []string{"GNU.sparse.major=1", "GNU.sparse.minor=0", "GNU.sparse.name=demo/a", "GNU.sparse.realsize=4096"} {
		length := len(record) + 4 // two digits, a blank, a newline
		fmt.Fprintf(&records, "%d %s\n", length, record)
	}
	out := rawHeader("demo/PaxHeaders/a", 'x', int64(records.Len()))
	copy(out[257:], "ustar\x0000")
	out = fixChecksum(out)
	out = append(out, records.Bytes()...)
	out = append(out, make([]byte, 512-records.Len())...)
	entry := rawHeader("demo/a", '0', 512)
	copy(entry[257:], "ustar\x0000")
	out = append(out, fixChecksum(entry)...)
	sparseMap := make([]byte, 512)
	copy(sparseMap, "1\n4096\n0\n")
	return append(out, sparseMap...)
}

func fixChecksum(block []byte) []byte {
	copy(block[148:156], "        ")
	sum := 0
	for _, b := range block {
		sum += int(b)
	}
	copy(block[148:], fmt.Sprintf("%06o\x00 ", sum))
	return block
}

func TestReadChartRefusesStreams(t *testing.T) {
	good := testdata(t, "charts/guestbook-1.4.2.tgz")
	plain := tarOf(t)
	tests := map[string]struct {
		data []byte
		want string
	}{
		"empty":                  {nil, "EOF"},
		"HTML":                   {[]byte("<!DOCTYPE html><html><body>404 Not Found</body></html>"), "invalid header"},
		"zip":                    {[]byte("PK\x03\x04\x14\x00\x00\x00\x08\x00aaaaaaaaaaaaaaaaaa"), "invalid header"},
		"tar without gzip":       {plain, "invalid header"},
		"gzip of nothing":        {gzipped(t, nil), "no Chart.yaml"},
		"gzip of text":           {gzipped(t, bytes.Repeat([]byte("text "), 300)), "invalid tar header"},
		"no Chart.yaml":          {gzipped(t, tarExactly(t, file("demo/values.yaml", ""))), "no Chart.yaml"},
		"Chart.yaml as a folder": {gzipped(t, tarExactly(t, folder("demo/Chart.yaml/"))), "no Chart.yaml"},
		"chart.yaml":             {gzipped(t, tarExactly(t, file("demo/chart.yaml", demoYAML))), "no Chart.yaml"},
		"Chart.yaml of subchart": {gzipped(t, tarExactly(t, file("demo/charts/a/Chart.yaml", demoYAML))), "no Chart.yaml"},
		"byte after gzip":        {append(bytes.Clone(good), 'x'), "after the end of the gzip stream"},
		"zero after gzip":        {append(bytes.Clone(good), 0), "after the end of the gzip stream"},
		"second gzip member":     {append(bytes.Clone(good), good...), "after the end of the gzip stream"},
		"empty second member":    {append(bytes.Clone(good), gzipped(t, nil)...), "after the end of the gzip stream"},
		"member within the tar":  {append(gzipped(t, plain[:540]), gzipped(t, plain[540:])...), "EOF"},
		"data after the tar":     {gzipped(t, append(bytes.Clone(plain), 'x')), "after the end of the tar archive"},
		"second tar":             {gzipped(t, append(bytes.Clone(plain), tarOf(t, file("demo/b", ""))...)), "after the end of the tar archive"},
		"checksum of gzip":       {flipped(good, len(good)-5), "checksum"},
		"length in gzip":         {flipped(good, len(good)-1), "checksum"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := readChart(tt.data)
			wantReason(t, err, chartsign.ReasonNotAChart, tt.want)
		})
	}
}

func flipped(data []byte, at int) []byte {
	data = bytes.Clone(data)
	data[at] ^= 0x40
	return data
}

// A prefix of a good archive is refused; one changed bit changes the digest at least.
func TestReadChartRefusesDamage(t *testing.T) {
	good := testdata(t, "charts/guestbook-1.4.2.tgz")
	for cut := 0; cut < len(good); cut += 1 + cut/200 { // each byte of the gzip header and the first block, then some
		if _, err := readChart(good[:cut]); err == nil {
			t.Fatalf("accepted after %d of %d bytes", cut, len(good))
		}
	}
	want := chartsign.DigestOf(good)
	for at := 0; at < len(good); at += 7 {
		if chart, err := readChart(flipped(good, at)); err == nil && chart.Digest() == want {
			t.Fatalf("accepted with the old digest although byte %d changed", at)
		}
	}
	plain := tarOf(t, file("demo/values.yaml", "a: b\n"))
	// Within the first header, its content, the second header, its content. Between entries
	// gzip's own length and sum vouch for the end.
	for _, cut := range []int{0, 1, 100, 511, 512, 513, 540, 1025, 1100, 1535, 1536, 1538} {
		if _, err := readChart(gzipped(t, plain[:cut])); err == nil {
			t.Fatalf("accepted after %d of %d bytes of the tar", cut, len(plain))
		}
	}
}

func TestReadChartRefusesChartYAML(t *testing.T) {
	tests := map[string]struct{ body, requirements, want string }{
		"empty":                           {"", "", "name"},
		"blanks":                          {" \n\n", "", "name"},
		"not YAML":                        {"name: [", "", "yaml"},
		"duplicate key":                   {demoYAML + "version: 9.9.9\n", "", "duplicate key"},
		"duplicate key in annotations":    {demoYAML + "annotations: {a: b, a: c}\n", "", "duplicate key"},
		"case twin":                       {demoYAML + "Name: other\n", "", "in case only"},
		"two documents":                   {demoYAML + "---\nname: other\n", "", "one document"},
		"requirements with a name":        {demoYAML, "name: other\n", "want dependencies only"},
		"requirements with a version":     {demoYAML, "dependencies: []\nversion: 9.9.9\n", "want dependencies only"},
		"requirements with a twin":        {demoYAML, "Dependencies: []\n", "want dependencies only"},
		"requirements with a twin below":  {demoYAML, "dependencies: [{name: a, NAME: b, repository: c}]\n", "in case only"},
		"requirements twice":              {demoYAML, "dependencies: []\ndependencies: []\n", "duplicate key"},
		"requirements in two documents":   {demoYAML, "dependencies: []\n---\ndependencies: [{name: a, repository: b}]\n", "one document"},
		"requirements as a list":          {demoYAML, "- name: a\n", "mapping"},
		"requirements with a bad alias":   {demoYAML, "dependencies: [{name: a, repository: b, alias: '../a'}]\n", "alias"},
		"requirements beside other ones":  {demoYAML + "dependencies: [{name: a, repository: b, condition: c}]\n", "dependencies: [{name: d, repository: e}]\n", "other ones"},
		"requirements that empty a list":  {demoYAML + "dependencies: [{name: a, repository: b}]\n", "dependencies: []\n", "other ones"},
		"requirements with nothing in it": {demoYAML, "dependencies: [~]\n", "null"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			entries := []entry{file("demo/Chart.yaml", tt.body)}
			if tt.requirements != "" {
				entries = append(entries, file("demo/requirements.yaml", tt.requirements))
			}
			_, err := readChart(gzipped(t, tarExactly(t, entries...)))
			wantReason(t, err, chartsign.ReasonNotAChart, tt.want)
		})
	}
}

func TestReadChartAcceptsTheSameRequirements(t *testing.T) {
	list := "dependencies: [{name: a, repository: b, version: 1.x}]\n"
	chart, err := readChart(gzipped(t, tarExactly(t, file("demo/Chart.yaml", demoYAML+list), file("demo/requirements.yaml", "\ufeff"+list))))
	must(t, err)
	if got := len(chart.Metadata().Dependencies); got != 1 {
		t.Errorf("got %d dependencies, want 1", got)
	}
}
