create table items (id int primary key auto_increment, name varchar(40) not null, price decimal(8,2), picture blob) engine=InnoDB;
insert into items (name, price, picture) values ('tea', 3.50, x'00ff27'), ('süß "x"', null, null);
create view cheap as select id, name from items where price < 4;
create trigger shout before insert on items for each row set new.name = upper(new.name);
create procedure count_items() select count(*) from items;
