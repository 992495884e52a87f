use super::*;
use ct_merkle::mem_backed_tree::MemoryBackedTree;

fn leaves(count: usize) -> Vec<Hash> {
    (0..count).map(|n| leaf_hash(&n.to_le_bytes())).collect()
}

// The leaves and roots that the reference implementation of Certificate Transparency tests with.
#[test]
fn roots_are_those_of_the_reference_vectors() {
    let lines =
        ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"];
    let roots = [
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ];
    let mut tree = Tree::new();
    assert_eq!(hex::encode(tree.root()), roots[0]);
    for (line, root) in lines.iter().zip(&roots[1..]) {
        tree.push(leaf_hash(&hex::decode(line).expect("hex")));
        assert_eq!(hex::encode(tree.root()), *root);
    }
}

#[test]
fn roots_and_proofs_agree_with_another_implementation_up_to_2000_leaves() {
    let all = leaves(2000);
    let mut ours = Tree::new();
    let mut theirs = MemoryBackedTree::<Sha256, Vec<u8>>::new();
    let nodes = Nodes::of(all.clone());
    for size in 0..=all.len() {
        assert_eq!(ours.root().as_slice(), theirs.root().as_bytes().as_slice(), "root of {size}");
        assert_eq!(nodes.root(size as u64), Some(ours.root()), "root of {size}");
        // Every place of small trees; of large ones another place each, for one proof and the other in turn.
        let is_small = size <= 65;
        let places = if is_small { 0..size } else { size * 7919 % 64..size * 7919 % 64 + 1 };
        for at in places.map(|at| if is_small { at } else { size - 1 - at * (size / 64) }) {
            if is_small || size % 2 == 0 {
                let proof = nodes.inclusion(at as u64, size as u64).expect("a leaf");
                let other = theirs.prove_inclusion(at);
                assert_eq!(proof.as_flattened(), other.as_bytes(), "inclusion of {at} in {size}");
            }
            if is_small || size % 2 == 1 {
                let proof = nodes.consistency(at as u64 + 1, size as u64).expect("a tree");
                let other = theirs.prove_consistency(size - at - 1);
                assert_eq!(proof.as_flattened(), other.as_bytes(), "consistency of {at} + 1 with {size}");
            }
        }
        if let Some(leaf) = all.get(size) {
            ours.push(*leaf);
            theirs.push(size.to_le_bytes().to_vec());
        }
    }
}

#[test]
fn a_proof_of_inclusion_holds_for_its_leaf_place_and_tree_only() {
    let all = leaves(40);
    let nodes = Nodes::of(all.clone());
    for size in 1..=all.len() {
        let root = Tree::of(&all[..size]).root();
        for at in 0..size {
            let (place, whole) = (at as u64, size as u64);
            let proof = nodes.inclusion(place, whole).expect("a leaf");
            assert!(includes(&all[at], place, whole, &proof, &root));
            assert!(!includes(&all[(at + 1) % 40], place, whole, &proof, &root));
            assert!(!includes(&all[at], place + 1, whole, &proof, &root));
            assert!(!includes(&all[at], place, whole, &proof, &[0; 32]));
            let longer = [proof.as_slice(), &[[0; 32]]].concat();
            assert!(!includes(&all[at], place, whole, &longer, &root));
            if let Some((_, shorter)) = proof.split_last() {
                assert!(!includes(&all[at], place, whole, shorter, &root));
            }
            for (step, flipped) in (0..proof.len()).map(|step| (step, flip(&proof, step))) {
                assert!(!includes(&all[at], place, whole, &flipped, &root), "step {step}");
            }
        }
    }
}

#[test]
fn a_proof_of_consistency_holds_for_its_two_trees_only() {
    let all = leaves(40);
    let nodes = Nodes::of(all.clone());
    let root = |size: usize| Tree::of(&all[..size]).root();
    for new in 1..=all.len() {
        for old in 1..=new {
            let (a, b) = ((old as u64, &root(old)), (new as u64, &root(new)));
            let proof = nodes.consistency(old as u64, new as u64).expect("a tree");
            assert!(continues(a, b, &proof), "{old} {new}");
            assert!(!continues((a.0, &[9; 32]), b, &proof), "{old} {new}");
            assert!(!continues(a, (b.0, &[9; 32]), &proof), "{old} {new}");
            for step in 0..proof.len() {
                assert!(!continues(a, b, &flip(&proof, step)), "{old} {new} step {step}");
            }
            if let Some((_, shorter)) = proof.split_last() {
                assert!(!continues(a, b, shorter), "{old} {new}");
            }
        }
    }
    assert!(continues((0, &Tree::new().root()), (7, &root(7)), &[]));
    assert!(!continues((7, &root(7)), (3, &root(3)), &[]));
}

fn flip(proof: &[Hash], step: usize) -> Vec<Hash> {
    let mut flipped = proof.to_vec();
    flipped[step][0] ^= 1;
    flipped
}

#[test]
fn there_is_no_root_and_no_proof_of_what_is_not_there() {
    let nodes = Nodes::of(leaves(5));
    assert_eq!((nodes.leaves(), nodes.root(6)), (5, None));
    assert_eq!((nodes.inclusion(5, 5), nodes.inclusion(0, 6), nodes.inclusion(3, 2)), (None, None, None));
    assert_eq!((nodes.consistency(3, 6), nodes.consistency(4, 3)), (None, None));
    assert_eq!(nodes.consistency(0, 5), Some(Vec::new()));
    assert_eq!(nodes.consistency(5, 5), Some(Vec::new()));
    assert_eq!(Nodes::of(Vec::new()).root(0), Some(Tree::new().root()));
}
