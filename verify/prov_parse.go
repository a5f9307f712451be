// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package verify

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/ProtonMail/go-crypto/openpgp/clearsign"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
	"sigs.k8s.io/yaml"

	"github.com/chartsign/chartsign"
	"github.com/chartsign/chartsign/internal/limits"
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
	signatures []*packet.Signature
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
	message := &clearsigned{}
	framed, reason := message.frame(string(data), compat)
	if reason != nil {
		return nil, reason
	}
	block, rest := clearsign.Decode([]byte(framed))
	if block == nil || len(bytes.TrimSpace(rest)) > 0 {
		return nil, chartsign.Reasonf(ReasonProvArmor, "the clear-signed message does not follow RFC 9580, section 7")
	}
	for name := range block.ArmoredSignature.Header {
		if !slices.Contains([]string{"Version", "Comment", "Charset", "MessageID"}, name) {
			return nil, chartsign.Reasonf(ReasonProvArmor, "the signature's armor has the unknown header %.80q", name)
		}
	}
	message.plaintext, message.canonical, message.hashes = block.Plaintext, block.Bytes, block.Headers["Hash"]
	if message.signatures, reason = readSignatures(block.ArmoredSignature.Body); reason != nil {
		return nil, reason
	}
	return message, nil
}

// frame checks the lines around message and signature and returns them alone.
func (m *clearsigned) frame(text string, compat bool) (string, *chartsign.Reason) {
	lines := strings.Split(strings.ReplaceAll(text, "\r\n", "\n"), "\n")
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
	if reason := checkHeaders(lines[frame[0]+1 : frame[1]]); reason != nil {
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
// like signed text to a reader and is not (RFC 9580, 7: 'only the Hash header').
func checkHeaders(lines []string) *chartsign.Reason {
	for _, line := range lines {
		switch {
		case line == "":
			return nil
		case strings.HasPrefix(line, "Hash: "):
		default:
			return chartsign.Reasonf(ReasonProvArmor, "the clear-signed message has the header line %.80q: want Hash headers and an empty line", line)
		}
	}
	return chartsign.Reasonf(ReasonProvArmor, "the clear-signed message has no empty line after its headers")
}

func readSignatures(body io.Reader) ([]*packet.Signature, *chartsign.Reason) {
	var signatures []*packet.Signature
	reader := packet.NewReader(body)
	for {
		next, err := reader.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, chartsign.Reasonf(ReasonProvArmor, "the signature's armor holds unreadable packets: %w", err)
		}
		signature, ok := next.(*packet.Signature)
		if !ok {
			return nil, chartsign.Reasonf(ReasonProvArmor, "the signature's armor holds a packet that is no signature: got %T", next)
		}
		if signatures = append(signatures, signature); len(signatures) > maxSignatures {
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
	metadata, err := chartsign.ParseMetadata([]byte(parts[0]))
	if errors.Is(err, chartsign.ErrDuplicateKey) {
		return nil, chartsign.Reasonf(ReasonProvDuplicateKey, "the signed Chart.yaml: %w", err)
	}
	if err != nil {
		return nil, chartsign.Reasonf(ReasonProvMalformed, "the signed Chart.yaml: %w", err)
	}
	file, digest, reason := readFiles(parts[1])
	if reason != nil {
		return nil, reason
	}
	return &provenance{metadata: metadata, file: file, digest: digest}, nil
}

func readFiles(part string) (file string, digest chartsign.Digest, reason *chartsign.Reason) {
	if _, err := yaml.YAMLToJSONStrict([]byte(part)); err != nil {
		if _, lax := yaml.YAMLToJSON([]byte(part)); lax == nil {
			return "", digest, chartsign.Reasonf(ReasonProvDuplicateKey, "the signed files: %w", err)
		}
		return "", digest, chartsign.Reasonf(ReasonProvMalformed, "the signed files: %w", err)
	}
	var sums struct {
		Files map[string]string `json:"files"`
	}
	if err := yaml.UnmarshalStrict([]byte(part), &sums); err != nil {
		return "", digest, chartsign.Reasonf(ReasonProvFiles, "the signed files: %w", err)
	}
	if strings.Contains(part, "\n---") {
		return "", digest, chartsign.Reasonf(ReasonProvParts, "the signed files are more than one YAML document")
	}
	if len(sums.Files) != 1 {
		return "", digest, chartsign.Reasonf(ReasonProvFiles, "the .prov file signs %d files: want the chart alone", len(sums.Files))
	}
	for name, sum := range sums.Files {
		parsed, err := chartsign.ParseDigest(sum)
		if err != nil {
			return "", digest, chartsign.Reasonf(ReasonProvFiles, "the signed digest of %.200q: %w", name, err)
		}
		file, digest = name, parsed
	}
	return file, digest, nil
}
