// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package verify_test

import (
	"crypto"
	"crypto/sha256"
	"encoding/hex"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/ProtonMail/go-crypto/openpgp/packet"
	"github.com/google/go-cmp/cmp"

	"github.com/chartsign/chartsign"
	"github.com/chartsign/chartsign/verify"
)

// TestSignedContent changes what is signed; the signature over it is honest each time.
func TestSignedContent(t *testing.T) {
	ring, key, text := loadKeys(t, "release"), secretKey(t, "release"), honestText(t)
	files := text[strings.Index(text, "\nfiles:")+1:]
	beforeDigest, _, _ := strings.Cut(text, "sha256:")
	zeros := "sha256:" + strings.Repeat("0", 64)
	for _, tc := range []struct {
		name, text string
		want       judgement
	}{
		{"unchanged", text, verified},
		{"quoted file name", strings.Replace(text, "guestbook-1.4.2.tgz:", `"guestbook-1.4.2.tgz":`, 1), verified},
		{"field Files", strings.Replace(text, "files:", "Files:", 1), rejected(verify.ReasonProvFiles)},
		{"fields files and Files", text + "\nFiles:\n  guestbook-1.4.2.tgz: " + zeros, rejected(verify.ReasonProvFiles)},
		{"path before the file name", strings.Replace(text, "  guestbook-1.4.2.tgz:", "  ./guestbook-1.4.2.tgz:", 1), rejected(chartsign.ReasonReferenceMismatch)},
		{"second document in the files", text + "\n---\nfiles:\n  guestbook-1.4.2.tgz: " + zeros, rejected(verify.ReasonProvParts)},
		{"document end with a comment", text + "\n... # end\nfiles:\n  guestbook-1.4.2.tgz: " + zeros, rejected(verify.ReasonProvParts)},
		{"document end with a comment in the metadata", "name: guestbook\n... # end\n" + text, rejected(verify.ReasonProvParts)},
		{"marker before the files", strings.Replace(text, "\nfiles:", "\n---\nfiles:", 1), rejected(verify.ReasonProvParts)},
		{"YAML line break in the files", strings.Replace(text, "\nfiles:", "\nfiles:\u2028", 1), rejected(verify.ReasonProvMalformed)},
		{"merge key", strings.Replace(text, files, "files:\n  <<: {guestbook-1.4.2.tgz: "+zeros+"}\n  "+strings.TrimSpace(strings.SplitN(files, "\n", 2)[1]), 1), rejected(verify.ReasonProvDuplicateKey)},
		{"digest is null", beforeDigest + "null", rejected(verify.ReasonProvFiles)},
		{"digest is a number", beforeDigest + "1", rejected(verify.ReasonProvFiles)},
		{"files is a list", strings.Replace(text, files, "files:\n- guestbook-1.4.2.tgz", 1), rejected(verify.ReasonProvFiles)},
		{"parts swapped", files + "\n...\n" + strings.SplitN(text, "\n...\n", 2)[0], rejected(verify.ReasonProvMalformed)},
		{"no metadata", "\n...\n" + files, rejected(verify.ReasonProvMalformed)},
		{"YAML that is none", "a: [\n...\n" + files, rejected(verify.ReasonProvMalformed)},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, judgeProv(t, ring, clearsigned(t, tc.text, signing{key: key}))); diff != "" {
				t.Errorf("verify (-want +got):\n%s", diff)
			}
		})
	}
}

// TestUnknownDigestMatchesNothing: the zero digest stands for 'unknown'. A file that signs
// sixty-four zeros must not fit a chart whose digest nobody knows.
func TestUnknownDigestMatchesNothing(t *testing.T) {
	text := honestText(t)
	at := strings.Index(text, "sha256:") + len("sha256:")
	text = text[:at] + strings.Repeat("0", 64)
	chart := guestbook(t).Chart
	config, err := chart.Metadata().JSON()
	if err != nil {
		t.Fatal(err)
	}
	unknown, err := chartsign.ChartFromConfig(config, chartsign.Digest{}, 0)
	if err != nil {
		t.Fatal(err)
	}
	verifier := pgpVerifier(t, loadKeys(t, "release"), noOptions)
	evidence := provenance([]byte(clearsigned(t, text, signing{key: secretKey(t, "release")})))
	got := best(t, verifier.Verify(chartsign.Subject{Chart: unknown}, evidence, pgpNow))
	if diff := cmp.Diff(inconclusive(verify.ReasonEvidenceUnavailable), got); diff != "" {
		t.Errorf("verify (-want +got):\n%s", diff)
	}
}

// TestUnsignedParts changes what no signature covers. The signed text stays as it is.
func TestUnsignedParts(t *testing.T) {
	ring, good := loadKeys(t, "release"), string(readFile(t, "provenance/honest/gpg.prov"))
	replace := func(old, by string) string {
		t.Helper()
		if !strings.Contains(good, old) {
			t.Fatalf("honest/gpg.prov has no %q", old)
		}
		return strings.Replace(good, old, by, 1)
	}
	const end = "-----END PGP SIGNATURE-----"
	_, armor, _ := strings.Cut(good, "-----BEGIN PGP SIGNATURE")
	armor = "-----BEGIN PGP SIGNATURE" + armor
	for _, tc := range []struct {
		name, prov string
		want       judgement
	}{
		{"unchanged", good, verified},
		{"CRLF line ends", strings.ReplaceAll(good, "\n", "\r\n"), verified},
		{"no newline at the end", strings.TrimSuffix(good, "\n"), verified},
		{"empty lines around", "\n\n" + good + "\n\n", verified},
		{"GHSA-x3jr-pf6g-c48f: text in the Hash header", replace("Hash: SHA512", "Hash: SHA512, reviewed"), rejected(verify.ReasonProvArmor)},
		{"GHSA-x3jr-pf6g-c48f: another hash", replace("Hash: SHA512", "Hash: SHA256"), rejected(verify.ReasonProvArmor)},
		{"GHSA-x3jr-pf6g-c48f: a weak hash besides", replace("Hash: SHA512", "Hash: SHA512,MD5"), rejected(verify.ReasonProvArmor)},
		{"GHSA-ch3c-v47x-4pgp: text before Hash", replace("Hash: SHA512", "reviewed Hash: SHA512"), rejected(verify.ReasonProvArmor)},
		{"GHSA-ch3c-v47x-4pgp: blank before Hash", replace("Hash: SHA512", " Hash: SHA512"), rejected(verify.ReasonProvArmor)},
		{"text after the first line", replace("SIGNED MESSAGE-----", "SIGNED MESSAGE----- reviewed"), rejected(verify.ReasonProvArmor)},
		{"line of blanks ends the headers", replace("Hash: SHA512\n\n", "Hash: SHA512\n \n"), rejected(verify.ReasonProvArmor)},
		{"vertical tab in the headers", replace("Hash: SHA512\n\n", "Hash: SHA512\n\v\nreviewed\n\n"), rejected(verify.ReasonProvArmor)},
		{"carriage return in a header", replace("Hash: SHA512\n", "Hash: SHA512\rreviewed\n"), rejected(verify.ReasonProvMalformed)},
		{"carriage return at a line's end", replace("\nname: guestbook\n", "\nname: guestbook\r\r\n"), rejected(verify.ReasonProvMalformed)},
		{"blank at a line's end", replace("\nname: guestbook\n", "\nname: guestbook \n"), rejected(verify.ReasonProvArmor)},
		{"tab at a line's end", replace("\nname: guestbook\n", "\nname: guestbook\t\n"), rejected(verify.ReasonProvArmor)},
		{"no-break space at a line's end", replace("\nname: guestbook\n", "\nname: guestbook\u00a0\n"), rejected(verify.ReasonSignatureInvalid)},
		{"NUL", replace("\nname: guestbook\n", "\nname: guestbook\x00\n"), rejected(verify.ReasonProvMalformed)},
		{"not UTF-8", replace("\nname: guestbook\n", "\nname: guestbook\xff\n"), rejected(verify.ReasonProvMalformed)},
		{"byte order mark", "\ufeff" + good, rejected(verify.ReasonProvMalformed)},
		{"text before", "reviewed\n" + good, rejected(verify.ReasonProvTextOutside)},
		{"text after", good + "reviewed\n", rejected(verify.ReasonProvTextOutside)},
		{"text on the last line", replace(end, end+" reviewed"), rejected(verify.ReasonProvArmor)},
		{"second block", good + good, rejected(verify.ReasonProvSecondBlock)},
		{"beginning of a second block", good + "-----BEGIN PGP SIGNED MESSAGE-----\n", rejected(verify.ReasonProvSecondBlock)},
		{"a key block after", good + "-----BEGIN PGP PUBLIC KEY BLOCK-----\n", rejected(verify.ReasonProvArmor)},
		{"second signature armor", good + armor, rejected(verify.ReasonProvArmor)},
		{"text in the armor after the data", replace("\n"+end, "\nreviewed by security\n"+end), rejected(verify.ReasonProvArmor)},
		{"text in the armor after a checksum", replace("\n"+end, "\n=AbCd\nreviewed\n"+end), rejected(verify.ReasonProvArmor)},
		{"text after a checksum, in base64", replace("\n"+end, "\n=AbCd\ncmV2aWV3ZWQh\n"+end), rejected(verify.ReasonProvArmor)},
		{"empty line in the armor's data", replace("\n"+end, "\n\n"+end), rejected(verify.ReasonProvArmor)},
		{"empty line in armor without a checksum", strings.Replace(clearsigned(t, honestText(t), signing{key: secretKey(t, "release")}), "\n"+end, "\n\n"+end, 1), rejected(verify.ReasonProvArmor)},
		{"unknown header of the armor", replace("PGP SIGNATURE-----\n\n", "PGP SIGNATURE-----\nReviewed: yes\n\n"), rejected(verify.ReasonProvArmor)},
		{"no header in the armor", replace("PGP SIGNATURE-----\n\n", "PGP SIGNATURE-----\nreviewed\n\n"), rejected(verify.ReasonProvArmor)},
		{"escape left out", replace("\n- - ", "\n-- "), rejected(verify.ReasonProvArmor)},
		{"only the frame", "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\n-----BEGIN PGP SIGNATURE-----\n\n" + end + "\n", rejected(verify.ReasonProvArmor)},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, judgeProv(t, ring, tc.prov)); diff != "" {
				t.Errorf("verify (-want +got):\n%s", diff)
			}
		})
	}
}

// TestTheJudgedTextIsTheSignedText: gpg, which made the signature, reads the same text out of
// the file as the text whose digest and metadata were compared.
func TestTheJudgedTextIsTheSignedText(t *testing.T) {
	gpg, err := exec.LookPath("gpg")
	if err != nil {
		t.Skip("gpg is not on PATH")
	}
	home := t.TempDir()
	out, err := exec.Command(gpg, "--homedir", home, "--no-options", "--batch", "--quiet", "--import", testdata+"/keys/release.pub.asc").CombinedOutput()
	if err != nil {
		t.Skipf("gpg does not work here: %v\n%s", err, out)
	}
	command := exec.Command(gpg, "--homedir", home, "--no-options", "--batch", "--quiet", "--trust-model", "always", "--decrypt", testdata+"/provenance/honest/gpg.prov")
	read, err := command.Output()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(honestText(t), strings.TrimSuffix(string(read), "\n")); diff != "" {
		t.Errorf("text (-ours +gpg):\n%s", diff)
	}
}

// TestWeakHashes: a genuine signature over the right text, with a hash that may be forged.
func TestWeakHashes(t *testing.T) {
	ring, key, text := loadKeys(t, "release"), secretKey(t, "release"), honestText(t)
	for hash, want := range map[crypto.Hash]judgement{
		crypto.SHA256: verified, crypto.SHA384: verified, crypto.SHA512: verified, crypto.SHA3_256: verified, crypto.SHA3_512: verified,
		crypto.SHA224: rejected(verify.ReasonWeakHash),
	} {
		t.Run(hash.String(), func(t *testing.T) {
			prov := framed(t, text, strings.ReplaceAll(strings.ReplaceAll(hash.String(), "SHA-", "SHA"), "/", ""), signing{key: key, hash: hash}.packet(t, text))
			if diff := cmp.Diff(want, judgeProv(t, ring, prov)); diff != "" {
				t.Errorf("verify (-want +got):\n%s", diff)
			}
		})
	}
	// The others cannot be made here: their numbers stand in the packet. Genuine signatures
	// with SHA-1 and RIPEMD-160 are among the vectors.
	for name, number := range map[string]byte{"MD5": 1, "SHA-1": 2, "RIPEMD160": 3, "an unknown one": 99} {
		t.Run(name, func(t *testing.T) {
			forged := signing{key: key}.packet(t, text)
			forged[slices.Index(forged, byte(packet.SigTypeText))+2] = number // version, type, algorithm, hash
			if diff := cmp.Diff(rejected(verify.ReasonWeakHash), judgeProv(t, ring, framed(t, text, "SHA512", forged))); diff != "" {
				t.Errorf("verify (-want +got):\n%s", diff)
			}
		})
	}
}

// TestUnknownKindsOfSignatures: what a newer tool makes cannot be judged, which is neither
// good nor bad. It does not spoil the signature beside it.
func TestUnknownKindsOfSignatures(t *testing.T) {
	text := honestText(t)
	good := signing{key: secretKey(t, "release")}.packet(t, text)
	at := slices.Index(good, byte(packet.SigTypeText)) // version, type, algorithm, hash
	verifier := pgpVerifier(t, loadKeys(t, "release"), noOptions)
	for name, change := range map[string]struct {
		offset int
		value  byte
	}{"version": {-1, 9}, "version 3": {-1, 3}, "algorithm": {1, 99}} {
		unknown := slices.Clone(good)
		unknown[at+change.offset] = change.value
		prov := framed(t, text, "SHA512", slices.Concat(unknown, good))
		got := judgementsOf(verifier.Verify(guestbook(t), provenance([]byte(prov)), pgpNow))
		if diff := cmp.Diff([]judgement{inconclusive(verify.ReasonUnsupported), verified}, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	key := slices.Concat(good, readFile(t, "keys/release.pub.gpg"))
	if diff := cmp.Diff(rejected(verify.ReasonProvArmor), judgeProv(t, loadKeys(t, "release"), framed(t, text, "SHA512", key))); diff != "" {
		t.Errorf("a key among the signatures (-want +got):\n%s", diff)
	}
}

// TestTooMuch: caps end the work before it is done.
func TestTooMuch(t *testing.T) {
	ring, key, text := loadKeys(t, "release"), secretKey(t, "release"), honestText(t)
	one := signing{key: key}.packet(t, text)
	for _, tc := range []struct {
		name, prov string
		want       judgement
	}{
		{"32 signatures", framed(t, text, "SHA512", slices.Repeat(one, 32)), verified},
		{"33 signatures", framed(t, text, "SHA512", slices.Repeat(one, 33)), rejected(verify.ReasonEvidenceTooLarge)},
		{"2,000 signatures", framed(t, text, "SHA512", slices.Repeat(one, 2000)), rejected(verify.ReasonEvidenceTooLarge)},
		{"more than 2 MiB", strings.Repeat("\n", 2<<20) + string(readFile(t, "provenance/honest/gpg.prov")), rejected(verify.ReasonEvidenceTooLarge)},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, judgeProv(t, ring, tc.prov)); diff != "" {
				t.Errorf("verify (-want +got):\n%s", diff)
			}
		})
	}
}

// TestEverySignatureHasAResult: in the order of the file, each with its own reason.
func TestEverySignatureHasAResult(t *testing.T) {
	text := honestText(t)
	mallory, release := secretKey(t, "mallory"), secretKey(t, "release")
	prov := clearsigned(t, text,
		signing{key: mallory},
		signing{key: release, hash: crypto.SHA224},
		signing{key: release},
		signing{key: release, kind: packet.SigTypeBinary + 0x10}, // a certification
		signing{key: release, at: pgpNow.Add(24 * 3600e9)},
	)
	results := pgpVerifier(t, loadKeys(t, "release"), noOptions).Verify(guestbook(t), provenance([]byte(prov)), pgpNow)
	want := []judgement{
		rejected(verify.ReasonSignerNotTrusted), rejected(verify.ReasonWeakHash), verified,
		rejected(verify.ReasonSignatureType), rejected(verify.ReasonSignatureTime),
	}
	if diff := cmp.Diff(want, judgementsOf(results)); diff != "" {
		t.Errorf("verify (-want +got):\n%s", diff)
	}
	if got := results[2]; got.Identity().Fingerprint != "A3363DE50DE3D06CBC3A0C1B0F411E23C73D5292" || !got.CoversMetadata() || got.Binds() != verify.BindsLayer || !got.SignedAt().Equal(signTime) {
		t.Errorf("got %v, metadata %v, binds %v, at %v", got.Identity(), got.CoversMetadata(), got.Binds(), got.SignedAt())
	}
}

// TestContentFailsEverySignature: a good signature over the wrong chart is as bad as none,
// however many there are, and the reasons of bad ones are kept.
func TestContentFailsEverySignature(t *testing.T) {
	sum := sha256.Sum256([]byte("another chart"))
	text, _, _ := strings.Cut(honestText(t), "sha256:")
	text += "sha256:" + hex.EncodeToString(sum[:])
	prov := clearsigned(t, text, signing{key: secretKey(t, "release")}, signing{key: secretKey(t, "mallory")}, signing{key: secretKey(t, "maintainer")})
	results := pgpVerifier(t, loadKeys(t, "release", "maintainer"), noOptions).Verify(guestbook(t), provenance([]byte(prov)), pgpNow)
	want := []judgement{rejected(verify.ReasonDigestMismatch), rejected(verify.ReasonSignerNotTrusted), rejected(verify.ReasonDigestMismatch)}
	if diff := cmp.Diff(want, judgementsOf(results)); diff != "" {
		t.Errorf("verify (-want +got):\n%s", diff)
	}
	for i, result := range results {
		if len(result.Signers()) > 0 || result.CoversMetadata() {
			t.Errorf("result %d names signers %v, metadata %v: want neither", i, result.Signers(), result.CoversMetadata())
		}
	}
}

// TestHelmCompat: what it lets pass is this list and nothing else.
func TestHelmCompat(t *testing.T) {
	relaxed := map[string]string{
		"hostile/text-before.prov":       string(verify.ReasonProvTextOutside),
		"hostile/text-after.prov":        string(verify.ReasonProvTextOutside),
		"hostile/other-description.prov": string(verify.ReasonMetadataMismatch),
		"hostile/other-app-version.prov": string(verify.ReasonMetadataMismatch),
		"hostile/other-dependency.prov":  string(verify.ReasonMetadataMismatch),
	}
	for _, v := range readVectors(t) {
		t.Run(v.file+"/"+v.keyring, func(t *testing.T) {
			verifier := pgpVerifier(t, loadKeys(t, v.keyring), verify.Options{HelmCompat: true})
			results := verifier.Verify(chartsign.Subject{Chart: readChart(t, v.chart)}, provenance(readFile(t, "provenance", v.file)), lateNow)
			want := v.want
			check, isRelaxed := relaxed[v.file]
			if isRelaxed {
				want = verified
			}
			if diff := cmp.Diff(want, best(t, results)); diff != "" {
				t.Errorf("verify (-want +got):\n%s", diff)
			}
			var wantRelaxed []string
			if isRelaxed {
				wantRelaxed = []string{check}
			}
			if diff := cmp.Diff(wantRelaxed, results[0].Relaxed()); diff != "" {
				t.Errorf("relaxed (-want +got):\n%s", diff)
			}
			// A chart known from its config blob only must not be believed on the word of a
			// .prov file that says something else.
			if got, want := results[0].CoversMetadata(), results[0].Outcome() == verify.Verified && check != string(verify.ReasonMetadataMismatch); got != want {
				t.Errorf("covers metadata: got %v, want %v", got, want)
			}
		})
	}
}

// TestHelmCompatKeepsTheFrame: text outside may not hold another message or armor.
func TestHelmCompatKeepsTheFrame(t *testing.T) {
	good := string(readFile(t, "provenance/honest/gpg.prov"))
	verifier := pgpVerifier(t, loadKeys(t, "release"), verify.Options{HelmCompat: true})
	for name, tc := range map[string]struct {
		prov string
		want judgement
	}{
		"text around":    {"hello\n" + good + "bye\n", verified},
		"second message": {good + "hello\n" + good, rejected(verify.ReasonProvSecondBlock)},
		"other armor":    {"-----BEGIN PGP PUBLIC KEY BLOCK-----\n" + good, rejected(verify.ReasonProvArmor)},
	} {
		got := best(t, verifier.Verify(guestbook(t), provenance([]byte(tc.prov)), pgpNow))
		if diff := cmp.Diff(tc.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}
