// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package verify

import (
	"bytes"
	"encoding/base64"
	"errors"
	"io"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/ProtonMail/go-crypto/openpgp/clearsign"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
	"sigs.k8s.io/yaml"

	"github.com/chartsign/chartsign"
	"github.com/chartsign/chartsign/internal/limits"
	"github.com/chartsign/chartsign/internal/strictyaml"
)

// The three lines that frame a clear-signed message (RFC 9580, 7).
const (
	lineMessage   = "-----BEGIN PGP SIGNED MESSAGE-----"
	lineSignature = "-----BEGIN PGP SIGNATURE-----"
	lineEnd       = "-----END PGP SIGNATURE-----"
)

// maxSignatures bounds the signatures in one .prov file; each costs a public key operation.
const maxSignatures = 32

// clearsigned is a well-formed clear-signed message whose signatures are not checked yet.
type clearsigned struct {
	plaintext  []byte // as the signer wrote it, dashes unescaped
	canonical  []byte // what is hashed: CRLF, no trailing blanks
	hashes     []string
	signatures []signaturePacket
	relaxed    []string
}

// readClearsigned reads exactly one clear-signed message and nothing else. The library's
// decoder takes the first message that it finds and skips what surrounds it, so the frame
// is checked here, before.
func readClearsigned(data []byte, compat bool) (*clearsigned, *chartsign.Reason) {
	if int64(len(data)) > limits.Provenance {
		return nil, chartsign.Reasonf(ReasonEvidenceTooLarge, "the .prov file has %d bytes: want at most %d", len(data), limits.Provenance)
	}
	if !utf8.Valid(data) || bytes.IndexByte(data, 0) >= 0 {
		return nil, chartsign.Reasonf(ReasonProvMalformed, "the .prov file is not text")
	}
	text := strings.ReplaceAll(string(data), "\r\n", "\n")
	if strings.Contains(text, "\r") {
		return nil, chartsign.Reasonf(ReasonProvMalformed, "the .prov file has a carriage return within a line: some readers would see two lines")
	}
	message := &clearsigned{}
	framed, reason := message.frame(strings.Split(text, "\n"), compat)
	if reason != nil {
		return nil, reason
	}
	block, rest := clearsign.Decode([]byte(framed))
	if block == nil || len(bytes.TrimSpace(rest)) > 0 {
		return nil, chartsign.Reasonf(ReasonProvArmor, "the clear-signed message does not follow RFC 9580, section 7")
	}
	message.plaintext, message.canonical, message.hashes = block.Plaintext, block.Bytes, block.Headers["Hash"]
	packets, reason := dearmor(framed)
	if reason != nil {
		return nil, reason
	}
	if message.signatures, reason = readSignatures(bytes.NewReader(packets)); reason != nil {
		return nil, reason
	}
	return message, nil
}

// frame checks the lines around message and signature and returns them alone.
func (m *clearsigned) frame(lines []string, compat bool) (string, *chartsign.Reason) {
	var frame []int // where the lines that begin with five dashes are
	for i, line := range lines {
		if strings.HasPrefix(line, "-----") {
			frame = append(frame, i)
		}
	}
	starts := 0
	for _, i := range frame {
		if strings.HasPrefix(lines[i], "-----BEGIN PGP SIGNED MESSAGE") {
			starts++
		}
	}
	switch {
	case starts == 0:
		return "", chartsign.Reasonf(ReasonProvMalformed, "the .prov file holds no clear-signed message: want a line %q", lineMessage)
	case starts > 1:
		return "", chartsign.Reasonf(ReasonProvSecondBlock, "the .prov file holds %d clear-signed messages: want 1", starts)
	case len(frame) != 3 || lines[frame[0]] != lineMessage || lines[frame[1]] != lineSignature || strings.TrimRight(lines[frame[2]], " \t") != lineEnd:
		return "", chartsign.Reasonf(ReasonProvArmor, "the clear-signed message has other frame lines than one each of BEGIN PGP SIGNED MESSAGE, BEGIN PGP SIGNATURE and END PGP SIGNATURE")
	}
	text, reason := checkHeaders(lines[frame[0]+1 : frame[1]])
	if reason == nil {
		reason = checkText(text)
	}
	if reason != nil {
		return "", reason
	}
	outside := strings.Join(append(slices.Clone(lines[:frame[0]]), lines[frame[2]+1:]...), "")
	if strings.TrimSpace(outside) != "" {
		if !compat {
			return "", chartsign.Reasonf(ReasonProvTextOutside, "the .prov file has text before or after the clear-signed message: it is not signed")
		}
		m.relaxed = append(m.relaxed, string(ReasonProvTextOutside))
	}
	return strings.Join(lines[frame[0]:frame[2]+1], "\n") + "\n", nil
}

// checkHeaders allows Hash headers only, ended by an empty line: anything else would look
// like signed text to a reader and is not (RFC 9580, 7: 'only the Hash header'). It returns
// the lines after them.
func checkHeaders(lines []string) ([]string, *chartsign.Reason) {
	for i, line := range lines {
		switch {
		case line == "" && i > 0:
			return lines[i+1:], nil
		case line == "":
			return nil, chartsign.Reasonf(ReasonProvArmor, "the clear-signed message has no Hash header")
		case strings.HasPrefix(line, "Hash: "):
		default:
			return nil, chartsign.Reasonf(ReasonProvArmor, "the clear-signed message has the header line %.80q: want Hash headers and an empty line", line)
		}
	}
	return nil, chartsign.Reasonf(ReasonProvArmor, "the clear-signed message has no empty line after its headers")
}

// checkText refuses what a signature does not cover within the lines of the text.
func checkText(lines []string) *chartsign.Reason {
	for i, line := range lines {
		// RFC 9580, 7.2: trailing spaces and tabs are removed before the text is signed.
		if strings.TrimRight(line, " \t") != line {
			return chartsign.Reasonf(ReasonProvArmor, "line %d of the signed text ends in blanks, which are not signed", i+1)
		}
		// RFC 9580, 7.2: every line that starts with '-' is escaped.
		if strings.HasPrefix(line, "-") && !strings.HasPrefix(line, "- ") {
			return chartsign.Reasonf(ReasonProvArmor, "line %d of the signed text begins with '-' and is not escaped", i+1)
		}
	}
	return nil
}

// dearmor returns the packets in the armor of the signature. The library's reader passes
// over whatever follows the padding or the checksum; here that is an error.
func dearmor(framed string) ([]byte, *chartsign.Reason) {
	_, armor, _ := strings.Cut(framed, "\n"+lineSignature+"\n")
	armor, _, _ = strings.Cut(armor, lineEnd)
	lines := strings.Split(strings.TrimSuffix(armor, "\n"), "\n")
	for len(lines) > 0 && lines[0] != "" {
		name, _, _ := strings.Cut(lines[0], ": ")
		if !slices.Contains([]string{"Version", "Comment", "Charset", "MessageID"}, name) {
			return nil, chartsign.Reasonf(ReasonProvArmor, "the signature's armor has the unknown header %.80q", lines[0])
		}
		lines = lines[1:]
	}
	if len(lines) == 0 {
		return nil, chartsign.Reasonf(ReasonProvArmor, "the signature's armor has no empty line after its headers")
	}
	lines = lines[1:]
	// RFC 9580, 6.1: the checksum is optional and does not decide anything.
	if last := len(lines) - 1; last >= 0 && len(lines[last]) == 5 && lines[last][0] == '=' {
		lines = lines[:last]
	}
	for i, line := range lines {
		if line == "" || strings.Contains(line, "=") && i < len(lines)-1 {
			return nil, chartsign.Reasonf(ReasonProvArmor, "the signature's armor goes on after its end")
		}
	}
	packets, err := base64.StdEncoding.Strict().DecodeString(strings.Join(lines, ""))
	if err != nil {
		return nil, chartsign.Reasonf(ReasonProvArmor, "the signature's armor: %w", err)
	}
	return packets, nil
}

// signaturePacket is one signature; problem says why a signature of a kind that is unknown
// here cannot be judged.
type signaturePacket struct {
	*packet.Signature
	problem error
}

func readSignatures(body io.Reader) ([]signaturePacket, *chartsign.Reason) {
	var signatures []signaturePacket
	reader := packet.NewReader(body)
	for {
		next, err := reader.NextWithUnsupported()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, chartsign.Reasonf(ReasonProvArmor, "the signature's armor holds unreadable packets: %w", err)
		}
		var problem error
		if unsupported, ok := next.(*packet.UnsupportedPacket); ok {
			next, problem = unsupported.IncompletePacket, unsupported.Error
		}
		signature, ok := next.(*packet.Signature)
		if !ok || signature == nil {
			return nil, chartsign.Reasonf(ReasonProvArmor, "the signature's armor holds a packet that is no signature: got %T", next)
		}
		if signatures = append(signatures, signaturePacket{signature, problem}); len(signatures) > maxSignatures {
			return nil, chartsign.Reasonf(ReasonEvidenceTooLarge, "the .prov file has more than %d signatures", maxSignatures)
		}
	}
	if len(signatures) == 0 {
		return nil, chartsign.Reasonf(ReasonProvArmor, "the signature's armor holds no signature")
	}
	return signatures, nil
}

// provenance is what a .prov file says.
type provenance struct {
	metadata *chartsign.Metadata
	file     string
	digest   chartsign.Digest
}

// readProvenance reads the signed text: Chart.yaml, a line of three dots, and the files
// with their digests. Helm reads the first two parts and ignores more.
func readProvenance(plaintext []byte) (*provenance, *chartsign.Reason) {
	parts := strings.Split("\n"+string(plaintext)+"\n", "\n...\n")
	if len(parts) != 2 {
		return nil, chartsign.Reasonf(ReasonProvParts, "the signed text has %d parts: want Chart.yaml, a line '...' and the files", len(parts))
	}
	if marker := documentMarker.FindString(parts[0] + "\n" + parts[1]); marker != "" {
		return nil, chartsign.Reasonf(ReasonProvParts, "the signed text has the further document marker %.80q", marker)
	}
	metadata, err := chartsign.ParseMetadata([]byte(parts[0]))
	if err != nil {
		return nil, unreadableYAML("Chart.yaml", err)
	}
	file, digest, reason := readFiles(parts[1])
	if reason != nil {
		return nil, reason
	}
	return &provenance{metadata: metadata, file: file, digest: digest}, nil
}

// unreadableYAML tells a key that stands twice from a text that is no YAML.
func unreadableYAML(what string, err error) *chartsign.Reason {
	code := ReasonProvMalformed
	if errors.Is(err, strictyaml.ErrDuplicateKey) {
		code = ReasonProvDuplicateKey
	}
	return chartsign.Reasonf(code, "the signed %s: %w", what, err)
}

// documentMarker finds what begins or ends a YAML document.
var documentMarker = regexp.MustCompile(`(?m)^(---|\.\.\.)([ \t].*)?$`)

// otherLineBreaks are those of YAML 1.1 besides CR and LF.
const otherLineBreaks = "\u0085\u2028\u2029"

func readFiles(part string) (file string, digest chartsign.Digest, reason *chartsign.Reason) {
	if strings.ContainsAny(part, otherLineBreaks) {
		return "", digest, chartsign.Reasonf(ReasonProvMalformed, "the signed files: got a line break that is not a newline")
	}
	if err := strictyaml.Check([]byte(part), limits.Provenance); err != nil {
		return "", digest, unreadableYAML("files", err)
	}
	var sums map[string]map[string]string
	if err := yaml.Unmarshal([]byte(part), &sums); err != nil {
		return "", digest, chartsign.Reasonf(ReasonProvFiles, "the signed files: %w", err)
	}
	files, ok := sums["files"]
	if !ok || len(sums) != 1 {
		return "", digest, chartsign.Reasonf(ReasonProvFiles, "the second part of the signed text has %d fields: want 'files' alone", len(sums))
	}
	if len(files) != 1 {
		return "", digest, chartsign.Reasonf(ReasonProvFiles, "the .prov file signs %d files: want the chart alone", len(files))
	}
	for name, sum := range files {
		parsed, err := chartsign.ParseDigest(sum)
		if err != nil {
			return "", digest, chartsign.Reasonf(ReasonProvFiles, "the signed digest of %.200q: %w", name, err)
		}
		file, digest = name, parsed
	}
	return file, digest, nil
}
