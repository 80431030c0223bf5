"""A byte-level BPE trained on everyday English, fed with other text: tokens a word, tokens for one meaning in four languages.

    fertility = tokens / words,   compression = UTF-8 bytes / tokens

Rust et al. 2021, arXiv 2012.15613 (fertility); Petrov et al. 2023, arXiv 2305.15425 (the same sentences in several languages);
Radford et al. 2019 (merges of bytes, so that nothing is out of the vocabulary). The corpora are this file's own and tiny: the
order of the languages is the point, the figures themselves belong to this toy.
"""

from typing import Annotated, Literal

from kernels import Bound, KernelError, kernel
from kernels.library.transformers import _bpe

EVERYDAY = """
The train was late again, so we walked along the river and talked about the summer. My brother has a small house near the station, and
every morning he makes coffee for the whole street. When the weather is good, the children play in the garden until it is dark. She said
that the people in the shop were friendly, but the bread was too expensive for a student. We need a new table for the kitchen, because
the old one is too small for six people. The doctor told him to walk more and to eat less sugar. In the evening they watched a film
about a man who lost his way in the snow. The water in the lake is cold in the morning and warm in the afternoon. I have been waiting for
the bus for half an hour, and it is raining. The city is large and loud, and yet the streets are empty on Sunday. My mother wants to visit
the museum, my father wants to sit in the sun. The price of the tickets is higher than last year. They opened the window and the cat
jumped on the table. If you need help with the work, ask the woman at the door. The teacher asked the children to read the book until
Friday. We had dinner with friends and came home late at night. The house at the end of the road has been empty for years. It was the
first time that the team had won a game in the rain. The letter came on Monday and nobody knew who had written it. He put the money on the
table and went out without a word. The hotel has a room with a view of the sea, and breakfast is free. There is a market in the square
every week, with fruit, flowers and fish. The country has many lakes and its capital is an old city.
"""

JAPANESE = """
今日は天気がいいので、公園を散歩しました。駅の近くに小さな家があります。弟は毎朝コーヒーを作ります。子供たちは暗くなるまで庭で遊んでいます。
新しい机が必要です。古い机は小さいです。医者は彼にもっと歩くように言いました。夜、私たちは映画を見ました。湖の水は朝は冷たいです。バスを三十分待っています。
雨が降っています。町は大きくてにぎやかです。母は美術館に行きたいです。父は日なたに座りたいです。切符の値段は去年より高いです。猫が机に飛び乗りました。
手伝いが必要なら、入口の人に聞いてください。先生は子供たちに本を読むように言いました。友達と夕食を食べて、遅く家に帰りました。その国には湖がたくさんあります。首都は古い町です。
ホテルの部屋から海が見えます。毎週、広場で市場があります。手紙は月曜日に来ました。彼は何も言わずに出て行きました。
"""

MEDICAL = """
The patient with glioblastoma received temozolomide and radiotherapy after craniotomy. Hepatocellular carcinoma was treated with sorafenib and
chemoembolization. Computed tomography showed lymphadenopathy and hepatosplenomegaly. The lymphoma was treated with cyclophosphamide,
doxorubicin and vincristine. Immunohistochemistry of the carcinoma was positive for cytokeratin. Thrombocytopenia and neutropenia followed
chemotherapy. Echocardiography showed cardiomyopathy after doxorubicin. The patient received pembrolizumab for adenocarcinoma. Nephrotoxicity
of cisplatin was treated with hydration. Gastrointestinal symptoms of chemotherapy were treated with ondansetron. Magnetic resonance
tomography of the glioblastoma showed oedema. Hepatotoxicity of sorafenib was monitored. The adenocarcinoma was resected after
chemoradiotherapy. Lymphadenectomy showed metastatic carcinoma. Thrombocytopenia was treated with transfusion.
"""

HELD_OUT = {  # the first four say the same
    "English": "The weather is good today, and we want to walk to the lake near the city. There is a small house by the water.",
    "German": "Das Wetter ist heute gut, und wir wollen zum See in der Nähe der Stadt gehen. Am Wasser steht ein kleines Haus.",
    "Turkish": "Bugün hava güzel ve şehrin yakınındaki göle yürümek istiyoruz. Suyun kenarında küçük bir ev var.",
    "Japanese": "今日は天気がよく、私たちは町の近くの湖まで歩きたいです。水のそばに小さな家があります。",
    "medical": "The glioblastoma recurred after temozolomide, and echocardiography showed cardiomyopathy. Cisplatin was stopped because of "
    "nephrotoxicity and thrombocytopenia.",
}
OUTPUTS = {f"{name.lower()}_{what}": "" for name in HELD_OUT for what in ("characters", "bytes", "tokens")}


@kernel(
    kind="simulation",
    outputs={
        **OUTPUTS,
        "vocabulary": "",
        "fertility_english": "",
        "fertility_medical": "",
        "compression_english": "",
        "compression_medical": "",
        "german_ratio": "",
        "turkish_ratio": "",
        "japanese_ratio": "",
        "japanese_byte_ratio": "",
        "character_ratio": "",
        "byte_ratio": "",
        "word_characters": "",
        "word_bytes": "",
        "word_tokens": "",
        "unknown": "",
        "round_trip": "",
        "same_ids": "",
        "id_errors": "",
    },
    timeout=60,
)
def bpe_fertility(
    training: Literal["english", "english+japanese", "english+medical"] = "english",
    merges: Annotated[int, Bound(low=0, high=2000)] = 400,
    word: str = "glioblastoma",
):
    """A small byte-level BPE on text that it has not seen: characters, bytes and tokens by language and domain, and of one word.

    The ratios: tokens over those of the English text of the same meaning; japanese_byte_ratio: of its bytes. character_ratio, byte_ratio: characters
    and bytes over tokens, English. word: cut as after a space. unknown: held-out bytes without a token; round_trip: share of texts that come back
    exactly. same_ids: share of the ids of merged tokens that mean the same in a tokenizer of equal size trained on medical text; id_errors: ids
    of the English text that the other does not have.
    """
    corpus = {"english": EVERYDAY, "english+japanese": EVERYDAY + JAPANESE, "english+medical": EVERYDAY + MEDICAL}[training]
    learned = _bpe.train(_bpe.byte_words(corpus), merges)
    if len(learned) < merges:
        raise KernelError(f"bpe_fertility: the corpus allows only {len(learned)} merges (ask for fewer than {merges})")
    cut = dict(zip(HELD_OUT, map(_bpe.encoder(learned), HELD_OUT.values())))
    tokens = {name: len(pieces) for name, pieces in cut.items()}
    size = {name: len(text.encode()) for name, text in HELD_OUT.items()}
    ids = {bytes([b]): b for b in range(256)} | {a + b: 256 + n for n, ((a, b), _) in enumerate(learned)}
    other = _bpe.train(_bpe.byte_words(MEDICAL), merges)
    same = sum(a == b for (a, _), (b, _) in zip(learned, other))
    return {
        **{f"{name.lower()}_characters": len(text) for name, text in HELD_OUT.items()},
        **{f"{name.lower()}_bytes": count for name, count in size.items()},
        **{f"{name.lower()}_tokens": count for name, count in tokens.items()},
        "vocabulary": 256 + len(learned),
        "fertility_english": fertile(learned, "English"),
        "fertility_medical": fertile(learned, "medical"),
        "compression_english": size["English"] / tokens["English"],
        "compression_medical": size["medical"] / tokens["medical"],
        **{f"{name.lower()}_ratio": tokens[name] / tokens["English"] for name in ("German", "Turkish", "Japanese")},
        "japanese_byte_ratio": size["Japanese"] / size["English"],
        "character_ratio": len(HELD_OUT["English"]) / tokens["English"],
        "byte_ratio": size["English"] / tokens["English"],
        "word_characters": len(word),
        "word_bytes": len(word.encode()),
        "word_tokens": len(_bpe.encoder(learned)(" " + word)),
        "unknown": sum(piece not in ids for pieces in cut.values() for piece in pieces),
        "round_trip": sum(b"".join(cut[name]).decode() == text for name, text in HELD_OUT.items()) / len(HELD_OUT),
        "same_ids": same / max(1, merges),
        "id_errors": sum(ids[piece] >= 256 + len(other) for piece in cut["English"]),
    }


def fertile(learned, name: str) -> float:
    return len(_bpe.encoder(learned)(HELD_OUT[name])) / len(HELD_OUT[name].split())


@bpe_fertility.figure
def draw(result, ax):
    from kernels import plot

    if result.parameters["training"] == "english+medical":
        plot.bars(ax, {"everyday": result["fertility_english"], "medical": result["fertility_medical"]}, unit="", highlight="medical")
        return
    names = ("English", "German", "Turkish", "Japanese")
    plot.bars(ax, {name: result[f"{name.lower()}_tokens"] for name in names}, unit="", highlight="Japanese")
